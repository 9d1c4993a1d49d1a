import type { PeerCertificates } from '../../identity/peer-certificates/peer-certificates.ts';
import type { Lockout } from '../operations/lockout.ts';
import type { ClientTrust } from './client-trust.ts';

/** Whether a session's client comes in again is asked of the lists as they would be, and of the same client identities. */
export function lockoutOf(peers: PeerCertificates, trust: ClientTrust): Lockout {
  return {
    async letsIn({ account, shown = [] }, changed) {
      const lists = trust.after(changed);
      // Nothing changes while the manager is away
      if (!lists) return true;
      const path = peers.judge.pathAfter(shown, lists);
      const user = typeof path === 'string' ? path : await peers.userOf(path);
      return typeof user !== 'string' && user.userName === account.userName;
    },
  };
}
