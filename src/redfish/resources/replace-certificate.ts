import { validateReplaceCertificate } from '../../../schemas/generated/validators.js';
import { type ChangeParts, replaceCertificate as replace } from '../certificates/changes.ts';
import {
  type CertificateCollection,
  findCertificate,
  findCollection,
} from '../certificates/collections.ts';
import { asRedfish } from '../certificates/errors.ts';
import { extendedInfo } from '../certificates/findings.ts';
import { badReference } from '../certificates/references.ts';
import type { ServedCertificate } from '../certificates/served.ts';
import { contentOf } from '../certificates/submitted.ts';
import { certificateView, type ViewParts } from '../certificates/view.ts';
import { json, type Operation } from '../resource.ts';

const action = 'CertificateService.ReplaceCertificate';

export interface ReplaceParts extends ViewParts, ChangeParts {
  readonly collections: () => readonly CertificateCollection[];
  readonly served: ServedCertificate;
}

/** CertificateService.ReplaceCertificate (DSP2046): the certificate keeps its URI. */
export function replaceCertificate(parts: ReplaceParts): Operation {
  const { collections } = parts;
  return {
    upload: true,
    async handle({ body, identity }) {
      const options = { action, references: ['CertificateUri'] };
      const { CertificateUri, ...submitted } = body.parse(validateReplaceCertificate, options);
      const found = findCertificate(collections(), CertificateUri['@odata.id']);
      if (!found) {
        const reference = CertificateUri['@odata.id'];
        const isCollection = findCollection(collections(), reference) !== undefined;
        const fault = isCollection
          ? 'a collection, and the URI of a certificate in it is wanted, such as that with /1 behind it'
          : 'no certificate of this service';
        throw badReference('CertificateUri', reference, action, fault);
      }
      const { collection, id } = found;
      const content = contentOf(submitted);
      const published = await asRedfish({ action, id }, () =>
        replace(parts, identity, { collection, id, content }),
      );
      await parts.served.refresh();
      const view = certificateView(parts, collection, published);
      const info = extendedInfo(parts, collection.endpoint, [published]);
      return json({ ...view, ...info }, { Location: view['@odata.id'] });
    },
  };
}
