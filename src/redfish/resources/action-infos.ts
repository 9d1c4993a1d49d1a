import { rsaLengths } from '../../x509/keys.ts';
import { keyUsages } from '../../x509/oids.ts';
import { servableCurveNames } from '../certificates/key-choice.ts';
import { json, type RequestContext, type Resource } from '../resource.ts';
import { typeOf } from '../schema-versions.ts';

/** One parameter of an action (DSP2046, ActionInfo). */
interface Parameter {
  readonly name: string;
  readonly type?: 'String' | 'StringArray' | 'Number' | 'Object';
  readonly required?: boolean;
  readonly values?: readonly string[];
}

const certificateTypes = ['PEM', 'PEMchain', 'PKCS7', 'PKCS12'] as const;

const keyParameters: readonly Parameter[] = [
  { name: 'KeyBitLength', type: 'Number', values: rsaLengths.map(String) },
  { name: 'KeyCurveId', values: servableCurveNames },
  { name: 'KeyPairAlgorithm', values: ['TPM_ALG_RSA', 'TPM_ALG_ECDSA', 'RSA', 'EC'] },
];

const challengePassword: Parameter = { name: 'ChallengePassword' };

/** What every action of the certificates takes; only these parameters are known. */
export const actionParameters = {
  GenerateCSR: [
    { name: 'CertificateCollection', type: 'Object', required: true },
    { name: 'AlternativeNames', type: 'StringArray' },
    challengePassword,
    ...texts('City', 'CommonName', 'ContactPerson', 'Country', 'Email', 'GivenName', 'Initials'),
    ...keyParameters,
    { name: 'KeyUsage', type: 'StringArray', values: keyUsages },
    ...texts('Organization', 'OrganizationalUnit', 'State', 'Surname', 'UnstructuredName'),
  ],
  ReplaceCertificate: [
    { name: 'CertificateString', required: true },
    { name: 'CertificateType', required: true, values: certificateTypes },
    { name: 'CertificateUri', type: 'Object', required: true },
    { name: 'Password' },
  ],
  Rekey: [challengePassword, ...keyParameters],
  Renew: [challengePassword],
} as const satisfies Record<string, readonly Parameter[]>;

/**
 * The ActionInfo of an action.
 * @param precondition throws when the resource of the action is not there
 */
export function actionInfo(
  path: string,
  action: keyof typeof actionParameters,
  precondition: (context: RequestContext) => void | Promise<void> = () => undefined,
): Resource {
  return {
    path,
    entity: 'ActionInfo',
    operations: {
      GET: {
        async handle(context) {
          await precondition(context);
          return json({
            '@odata.id': context.uri,
            '@odata.type': typeOf('ActionInfo'),
            Id: `${action}ActionInfo`,
            Name: `Parameters of ${action}`,
            Parameters: actionParameters[action].map(describe),
          });
        },
      },
    },
  };
}

function describe({ name, type = 'String', required = false, values }: Parameter) {
  return {
    Name: name,
    DataType: type,
    Required: required,
    ...(values && { AllowableValues: values }),
  };
}

function texts(...names: readonly string[]): readonly Parameter[] {
  return names.map((name) => ({ name }));
}
