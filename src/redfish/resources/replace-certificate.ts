import { validateReplaceCertificate } from '../../../schemas/generated/validators.js';
import type { CertificateClient } from '../../manager/certificate-client.ts';
import { type CertificateCollection, findCertificate } from '../certificates/collections.ts';
import { asRedfish } from '../certificates/errors.ts';
import { extendedInfo } from '../certificates/findings.ts';
import { type LockoutParts, withLockoutGuard } from '../certificates/lockout-guard.ts';
import { badReference } from '../certificates/references.ts';
import type { ServedCertificate } from '../certificates/served.ts';
import { admit, contentOf } from '../certificates/submitted.ts';
import { certificateView, type ViewParts } from '../certificates/view.ts';
import { json, type Operation } from '../resource.ts';

const action = 'CertificateService.ReplaceCertificate';

export interface ReplaceParts extends ViewParts, LockoutParts {
  readonly client: CertificateClient;
  readonly collections: readonly CertificateCollection[];
  readonly served: ServedCertificate;
}

/** CertificateService.ReplaceCertificate (DSP2046): the certificate keeps its URI. */
export function replaceCertificate(parts: ReplaceParts): Operation {
  const { client, collections } = parts;
  return {
    upload: true,
    async handle({ body, identity }) {
      const options = { action, references: ['CertificateUri'] };
      const { CertificateUri, ...submitted } = body.parse(validateReplaceCertificate, options);
      const found = findCertificate(collections, CertificateUri['@odata.id']);
      if (!found) {
        const reference = CertificateUri['@odata.id'];
        throw badReference('CertificateUri', reference, action, 'no certificate of this service');
      }
      const { collection, id } = found;
      const { endpoint } = collection;
      const published = await asRedfish({ action, id }, () => {
        client.get(endpoint, id);
        const adds = admit(collection, contentOf(submitted));
        return withLockoutGuard(parts, identity, { endpoint, removes: id, adds }, () =>
          client.replace(endpoint, id, adds.content),
        );
      });
      await parts.served.refresh();
      const view = certificateView(parts, collection, published);
      return json({ ...view, ...extendedInfo(published) }, { Location: view['@odata.id'] });
    },
  };
}
