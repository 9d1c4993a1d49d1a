/** What a message of a client may have. */
export interface MessageLimits {
  /** Bytes, without framing. */
  readonly bytes: number;
  /** Elements, at whatever depth. */
  readonly elements: number;
  /** Elements inside each other. */
  readonly depth: number;
  /** Attributes of one element, declarations of namespaces among them. */
  readonly attributes: number;
  /** Characters of the name of an element or attribute, with its prefix. */
  readonly nameLength: number;
}
