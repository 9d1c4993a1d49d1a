import { createHmac, randomUUID } from 'node:crypto';
import type { Log } from '../../core/log.ts';

/** Of this program, so that no other one derives the same id from the same machine. */
const applicationId = '21de5568b1fe43c9b9a6f51802445788';

/**
 * The UUID by which clients know the device (DSP0266, "UUID"), from the id of the machine as
 * `sd_id128_get_machine_app_specific(3)` makes it: it does not reveal that id, and stays for as long as the installation does.
 */
export function serviceIdOf(machine: string): string {
  const hmac = createHmac('sha256', Buffer.from(machine, 'hex'));
  const id = hmac.update(Buffer.from(applicationId, 'hex')).digest().subarray(0, 16);
  // RFC 9562 §5.4: version 4, variant 10
  id.writeUInt8((id.readUInt8(6) & 0x0f) | 0x40, 6);
  id.writeUInt8((id.readUInt8(8) & 0x3f) | 0x80, 8);
  return id.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** Two devices must not have the same UUID, so without an id of the machine it is random and ends with the service. */
export function serviceId(log: Log, machine: string | undefined): string {
  if (machine !== undefined) return serviceIdOf(machine);
  const id = randomUUID();
  log.warn('the machine has no machine-id, so the service has another UUID after each start', {
    id,
  });
  return id;
}
