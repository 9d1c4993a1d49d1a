import { validateReplaceCertificate } from '../../../schemas/generated/validators.js';
import { pemContent } from '../../manager/x509/containers.ts';
import { asRedfish } from '../certificates/errors.ts';
import { placeOfCertificate } from '../certificates/places.ts';
import { certificateView } from '../certificates/view.ts';
import { RedfishError } from '../messages/redfish-error.ts';
import { json, type Operation, type ServiceParts } from '../resource.ts';

const action = 'CertificateService.ReplaceCertificate';

/** CertificateService.ReplaceCertificate (DSP2046): the certificate keeps its URI. */
export function replaceCertificate({ client, places }: ServiceParts): Operation {
  return {
    async handle({ body }) {
      const options = { action, references: ['CertificateUri'] };
      const { CertificateString, CertificateUri } = body.parse(validateReplaceCertificate, options);
      const found = placeOfCertificate(places, CertificateUri['@odata.id']);
      if (!found?.place.canonical) {
        const args = ['CertificateUri', action];
        const detail = `${CertificateUri['@odata.id']} is no certificate that can be replaced`;
        throw new RedfishError(400, { id: 'ActionParameterNotSupported', args, detail });
      }
      const { place, id } = found;
      const published = await asRedfish({ action, id }, () => {
        client.get(place.endpoint, id);
        return client.replace(place.endpoint, id, pemContent(CertificateString));
      });
      const view = certificateView(place, published);
      return json(view, { Location: view['@odata.id'] });
    },
  };
}
