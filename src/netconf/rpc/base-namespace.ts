/** The namespace of the messages and operations of RFC 6241, and the URI of its first capability. */
export const baseNamespace = 'urn:ietf:params:xml:ns:netconf:base:1.0';

/** RFC 6241 §8.1: one of them must be in a hello; with the second on both sides messages come in chunks (RFC 6242 §4.1). */
export const baseCapabilities = [
  'urn:ietf:params:netconf:base:1.0',
  'urn:ietf:params:netconf:base:1.1',
] as const;
