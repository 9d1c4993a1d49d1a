import { extent } from '../extent.ts';

/** How many inputs each target gets in the long form. */
export const plan = {
  pem: 60_000,
  der: 20_000,
  'certificate, of bytes': 12_000,
  'certificate, of elements': 20_000,
  'certificate, of lengths': 3000,
  'private key': 6000,
  'certification request': 5000,
  container: 8000,
  'PKCS #12': 3000,
  upload: 500,
  'general name': 300_000,
  'request arguments': 60_000,
  'query of a URI': 140_000,
  'filter of an event stream': 100_000,
  'request headers': 300_000,
  'destination and headers of events': 100_000,
  'JSON body': 20_000,
  configuration: 4000,
  'stored file': 3000,
  'stored pair': 300,
  'pending request': 500,
  'wire of the bus': 10_000,
  'stream of NETCONF': 30_000,
  'HTTP request': 3000,
  'bus call': 2000,
  'request to the whole stack': 500,
  'password helper': 2000,
  worker: 20,
} as const;

export type TargetName = keyof typeof plan;

/** A quick run takes the same way for a part of the length. */
export function runsOf(name: TargetName): number {
  return extent({ quick: Math.max(10, Math.ceil(plan[name] / 250)), long: plan[name] });
}
