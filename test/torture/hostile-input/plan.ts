import { extent } from '../extent.ts';

/** How many inputs each target gets in the long form. */
export const plan = {
  pem: 120_000,
  der: 120_000,
  'certificate, of bytes': 50_000,
  'certificate, of elements': 80_000,
  'certificate, of lengths': 10_000,
  'private key': 40_000,
  'certification request': 20_000,
  container: 40_000,
  'PKCS #12': 15_000,
  upload: 3_000,
  'general name': 150_000,
  'request arguments': 60_000,
  'query of a URI': 100_000,
  'filter of an event stream': 60_000,
  'request headers': 150_000,
  'destination and headers of events': 60_000,
  'JSON body': 80_000,
  configuration: 15_000,
  'stored file': 25_000,
  'stored pair': 1_500,
  'pending request': 3_000,
  'worker and password helper': 6_000,
  'wire of the bus': 100_000,
  'HTTP request': 25_000,
  'HTTP bytes': 5_000,
  'bus call': 15_000,
} as const;

export type TargetName = keyof typeof plan;

/** A quick run takes the same way for a part of the length. */
export function runsOf(name: TargetName): number {
  return extent({ quick: Math.max(20, Math.ceil(plan[name] / 250)), long: plan[name] });
}
