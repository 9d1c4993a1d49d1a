import { signatureOf } from '../server/interface.ts';
import { connectBus } from '../transport/bus.ts';
import { fromBusError } from './account-errors.ts';
import { accountsInterface, accountsName, accountsRoot } from './accounts-interface.ts';

/**
 * Has the account manager that runs set the password of the operator.
 * @returns the name of the account
 * @throws IdentityError `password-refused`; CertError `unavailable`, `access-denied`
 */
export async function requestOperatorPassword(
  busAddress: string,
  password: string,
): Promise<string> {
  const bus = await connectBus(busAddress);
  try {
    const [userName] = await bus.call({
      destination: accountsName,
      path: accountsRoot,
      interface: accountsInterface.name,
      member: 'SetOperatorPassword',
      signature: signatureOf(accountsInterface.methods.SetOperatorPassword.in),
      body: [Buffer.from(password)],
    });
    return String(userName);
  } catch (error) {
    const known = fromBusError(error, '');
    throw known.code === 'unavailable' || known.code === 'failed' ? error : known;
  } finally {
    bus.close();
  }
}
