import { CertError } from '../../../core/cert-error.ts';
import {
  administerNetconf,
  type NetconfAdministration,
} from '../../../dbus/netconf-service/netconf-client.ts';
import { type OperatorContext, refuseRemote } from '../../context.ts';
import { describeFailure } from '../../failure.ts';

/** Does what a command asks of the service, on the device itself. */
export async function withService<T>(
  context: OperatorContext,
  command: string,
  work: (service: NetconfAdministration) => Promise<T>,
): Promise<T> {
  refuseRemote(context, command);
  let service: NetconfAdministration | undefined;
  try {
    service = await administerNetconf(context.busAddress);
    return await work(service);
  } catch (error) {
    if (error instanceof CertError && error.code === 'unavailable')
      throw describeFailure(error, 'look at systemctl status bmc-netconf');
    throw error;
  } finally {
    service?.close();
  }
}
