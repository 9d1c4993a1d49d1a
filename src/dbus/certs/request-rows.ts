import type { PendingRequest } from '../../manager/csr/pending-requests.ts';

/** Pending requests as `Outstanding` answers with them. */
export function requestRows(pending: readonly PendingRequest[]): [string, bigint, string][] {
  return pending.map(({ id, created, pem = '' }) => [
    id,
    BigInt(Math.max(0, Math.floor(created.getTime() / 1000))),
    pem,
  ]);
}
