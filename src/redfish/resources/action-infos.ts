import {
  type CsrParameterName,
  csrParameterNames,
  csrParameters,
  rekeyParameterNames,
  renewParameterNames,
} from '../../manager/csr/parameters.ts';
import {
  type Member,
  type Members,
  type OemActionName,
  oemActions,
  oemEnumerations,
} from '../oem/declaration.ts';
import { json, type RequestContext, type Resource } from '../resource.ts';
import { typeOf } from '../schema-versions.ts';

/** One parameter of an action (DSP2046, ActionInfo). */
interface Parameter {
  readonly name: string;
  readonly type?: 'String' | 'StringArray' | 'Number' | 'Object';
  readonly required?: boolean;
  readonly values?: readonly string[];
  readonly numbers?: readonly number[];
}

const certificateTypes = ['PEM', 'PEMchain', 'PKCS7', 'PKCS12'] as const;

/** Redfish's names of the types of the bus. */
const types = { s: 'String', as: 'StringArray', x: 'Number' } as const;

/** What every action of the certificates takes; only these parameters are known. */
const actionParameters = {
  GenerateCSR: [
    { name: 'CertificateCollection', type: 'Object', required: true },
    ...csrParameterNames.map(ofCsr),
  ],
  ReplaceCertificate: [
    { name: 'CertificateString', required: true },
    { name: 'CertificateType', required: true, values: certificateTypes },
    { name: 'CertificateUri', type: 'Object', required: true },
    { name: 'Password' },
  ],
  Rekey: rekeyParameterNames.map(ofCsr),
  Renew: renewParameterNames.map(ofCsr),
} as const satisfies Record<string, readonly Parameter[]>;

/** Throws when the resource of the action is not there. */
type Precondition = (context: RequestContext) => void | Promise<void>;

/** The ActionInfo of an action. */
export function actionInfo(
  path: string,
  action: keyof typeof actionParameters,
  precondition: Precondition = () => undefined,
): Resource {
  return infoResource(path, action, actionParameters[action], precondition);
}

/** The ActionInfo of an action of ours. */
export function oemActionInfo(
  path: string,
  action: OemActionName,
  precondition: Precondition,
): Resource {
  const parameters: Members = oemActions[action].parameters;
  return infoResource(path, action, Object.entries(parameters).map(ofOem), precondition);
}

function infoResource(
  path: string,
  action: string,
  parameters: readonly Parameter[],
  precondition: Precondition,
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
            Parameters: parameters.map(describe),
          });
        },
      },
    },
  };
}

function describe({ name, type = 'String', required = false, values, numbers }: Parameter) {
  return {
    Name: name,
    DataType: type,
    Required: required,
    ...(values && { AllowableValues: values }),
    // Some clients read the list, others the bounds alone
    ...(numbers && {
      AllowableNumbers: numbers.map(String),
      MinimumValue: Math.min(...numbers),
      MaximumValue: Math.max(...numbers),
    }),
  };
}

function ofOem([name, { kind, required: isRequired }]: readonly [string, Member]): Parameter {
  const required = isRequired === true;
  if (kind === 'Int64') return { name, required, type: 'Number' };
  if (typeof kind === 'string') return { name, required };
  if ('enumeration' in kind) return { name, required, values: oemEnumerations[kind.enumeration] };
  return { name, required, type: 'Object' };
}

function ofCsr(name: CsrParameterName): Parameter {
  const { signature, values } = csrParameters[name];
  if (signature === 'x')
    return { name, type: types.x, ...(values && { numbers: values.map(Number) }) };
  return { name, type: types[signature], ...(values && { values }) };
}
