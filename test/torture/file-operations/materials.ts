import { keyKinds, openssl, opensslAuthority } from '../../fakes/openssl-authority.ts';

/** What operators upload in the scenes, and who signs the requests of a device. */
export interface Materials {
  readonly given: Readonly<Record<string, string>>;
  sign(request: string): string;
  remove(): void;
}

export function makeMaterials(): Materials {
  const tools = opensslAuthority();
  const issuer = tools.issueCa({ subject: '/CN=Issuer' });
  const authority = (subject: string) => tools.issueCa({ subject }).pem;
  const pair = (subject: string) => {
    const { key, pem } = tools.issue({ issuer, subject });
    return key + pem;
  };
  const waitingKey = openssl(['genpkey', ...keyKinds.p256]);
  const waiting = tools.write('waiting.key', waitingKey);
  return {
    given: {
      pair1: pair('/CN=one'),
      pair2: pair('/CN=two'),
      pair3: pair('/CN=three'),
      ca1: authority('/CN=CA One'),
      twin: authority('/CN=CA One'),
      ca2: authority('/CN=CA Two'),
      ca3: authority('/CN=CA Three'),
      ca4: authority('/CN=CA Four'),
      probe: authority('/CN=Probe'),
      waitingKey,
      waitingRequest: openssl(['req', '-new', '-key', waiting, '-subj', '/CN=waiting']),
      rsaKey: openssl(['genpkey', ...keyKinds.rsa(2048)]),
    },
    sign: (request) => tools.sign(request, issuer),
    remove: () => tools.remove(),
  };
}
