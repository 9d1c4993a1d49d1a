import type { MessageLimits } from '../../src/netconf/xml/limits.ts';

/** Those of the tests, which no message exceeds unless it wants to. */
export const messageLimits: MessageLimits = {
  bytes: 100_000,
  elements: 1000,
  depth: 64,
  attributes: 64,
  nameLength: 256,
};
