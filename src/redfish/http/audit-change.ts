import type { Request } from 'express';
import type { Audit } from '../../core/audit.ts';
import { clientAddress } from '../../core/client-address.ts';
import type { Reply } from '../resource.ts';
import { asRedfishError } from './error-reply.ts';

/**
 * Answers a request, with a line of the audit for one that may change something and whose client is known.
 * A request that no credentials came with, or none that are valid, changes nothing.
 */
export function auditChange(
  audit: Audit,
  { method, path, socket }: Request,
  answer: () => Promise<Reply>,
): Promise<Reply> {
  if (method === 'GET' || method === 'HEAD') return answer();
  const address = clientAddress(socket);
  return audit.during(async (told) => {
    const write = (event: 'change' | 'change refused', outcome: number, location?: unknown) => {
      const { user, login, ...others } = told();
      if (user === undefined || login === undefined) return;
      const created = typeof location === 'string' && location !== path ? { location } : {};
      const request = { user, address, login, request: method, uri: path };
      audit.write(event, { ...request, ...others, ...created, outcome });
    };
    try {
      const { status, headers, ...reply } = await answer();
      write('change', status, headers?.Location);
      return { status, ...(headers && { headers }), ...reply };
    } catch (error) {
      write('change refused', asRedfishError(error).status);
      throw error;
    }
  });
}
