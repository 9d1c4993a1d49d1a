import { type GenerateCsr, validateGenerateCsr } from '../../../schemas/generated/validators.js';
import type { CsrParameters } from '../../manager/csr/parameters.ts';
import { defaultCurve, impliedAlgorithm } from '../../manager/csr/plan.ts';
import { readHostAndPort } from '../../x509/general-names.ts';
import {
  type CertificateCollection,
  findCertificate,
  findCollection,
} from '../certificates/collections.ts';
import { infoOf } from '../certificates/findings.ts';
import { curveInfo, refuseUnservable } from '../certificates/key-choice.ts';
import { badReference } from '../certificates/references.ts';
import { answerRequest, type CsrSources } from '../certificates/requests.ts';
import type { CertificateMessage } from '../messages/certificate-registry.ts';
import { link, type Operation } from '../resource.ts';

const action = 'CertificateService.GenerateCSR';

/** CertificateService.GenerateCSR (DSP2046): the request comes with the answer, or with a task. */
export function generateCsr(parts: CsrSources): Operation {
  const { client, collections } = parts;
  return {
    async handle(context) {
      const options = { action, references: ['CertificateCollection'] };
      const parameters = context.body.parse(validateGenerateCsr, options);
      const reference = parameters.CertificateCollection['@odata.id'];
      const collection = findCollection(collections(), reference);
      if (!collection?.requestUsages) {
        const name = 'CertificateCollection';
        const certificate = findCertificate(collections(), reference);
        const fault = certificate
          ? `a certificate, and the URI of its collection is wanted, ${certificate.collection.uri}`
          : 'no collection that a request can be made for';
        throw badReference(name, reference, action, fault);
      }
      const wanted = withDefaults(parameters, collection);
      refuseUnservable(collection, wanted, action);
      return answerRequest(parts, context, {
        action,
        collection,
        parameters: { ...parameters },
        make: () => client.makeRequest(collection.endpoint, wanted),
        extraMembers: {
          CertificateCollection: link(reference),
          ...infoOf([...droppedPorts(collection, wanted), ...curveInfo(collection, wanted)]),
        },
      });
    },
  };
}

/** What of the names the CSR does not have. */
function droppedPorts(
  { endpoint }: CertificateCollection,
  { AlternativeNames, CommonName }: CsrParameters,
): readonly CertificateMessage[] {
  const isImplied = AlternativeNames.length === 0 && endpoint.type === 'server';
  return (isImplied ? [CommonName] : AlternativeNames).flatMap((given): CertificateMessage[] => {
    const name = readHostAndPort(given);
    return name ? [{ id: 'PortLeftOut', args: [given.trim(), name.value] }] : [];
  });
}

function withDefaults(
  given: GenerateCsr,
  { requestUsages = [] }: CertificateCollection,
): CsrParameters {
  const { CertificateCollection: _, KeyCurveId, KeyPairAlgorithm, ...others } = given;
  const KeyBitLength = BigInt(given.KeyBitLength);
  return {
    ...others,
    KeyUsage: given.KeyUsage.length > 0 ? given.KeyUsage : requestUsages,
    KeyBitLength,
    KeyPairAlgorithm: KeyPairAlgorithm || impliedAlgorithm({ KeyBitLength, KeyCurveId }),
    KeyCurveId: KeyCurveId || defaultCurve,
  };
}
