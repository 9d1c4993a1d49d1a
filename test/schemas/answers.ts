import { AssertionError } from 'node:assert';
import { readDmtfSchemas } from './dmtf-schemas.ts';
import { csdlFolder, jsonSchemaFolder, skipWithout } from './folder.ts';
import { ownFaults } from './own-schema.ts';

/** An answer as a test client has it, with what was asked. */
export interface CheckedAnswer {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

type Members = Readonly<Record<string, unknown>>;

const schemas =
  skipWithout(jsonSchemaFolder) === false
    ? readDmtfSchemas({ json: jsonSchemaFolder, csdl: csdlFolder })
    : undefined;

/** What actions answer, by the last segment of the target: the file and the definition. */
const actionResponses: Readonly<Record<string, readonly [string, string]>> = {
  'CertificateService.GenerateCSR': ['CertificateService', 'GenerateCSRResponse'],
  'Certificate.Rekey': ['Certificate', 'RekeyResponse'],
  'Certificate.Renew': ['Certificate', 'RenewResponse'],
};

/** The same of actions of ours, whose definitions are in our own schema. */
const ownResponses: Readonly<Record<string, string>> = {
  'BmcCertificates.Stage': 'Replacement',
  'BmcCertificates.Activate': 'Replacement',
};

/**
 * Holds a Redfish answer in JSON against DMTF's JSON Schema of its type; does nothing when the
 * schemas are not there. @throws AssertionError that names every fault and its place
 */
export function checkAnswer(answer: CheckedAnswer): void {
  if (!schemas || answer.text === '' || answer.method === 'HEAD') return;
  if (!answer.path.startsWith('/redfish/v1') || !answer.contentType.startsWith('application/json'))
    return;
  const faults = faultsOf(answer);
  if (faults.length === 0) return;
  const { method, path, status, text } = answer;
  const message = `${method} ${path} answered ${status} against its schema:\n${faults.join('\n')}\n${text}`;
  throw new AssertionError({ message });
}

/** The faults of one answer, each as a sentence that begins with a JSON pointer. */
export function faultsOf({ method, path, status, text }: CheckedAnswer): string[] {
  const body: unknown = JSON.parse(text);
  if (!isMembers(body)) return ['/ is no object'];
  const [place = '', query = ''] = path.replace(/\/(?=$|\?)/, '').split('?', 2);
  if (status >= 400) {
    const faults = faultsAgainst('redfish-error', 'RedfishError', body);
    return [...faults, ...orderFaults(body), ...nestedFaults(body, '')];
  }
  // The schema of a schema, a list of names and a bare message have no @odata.type
  if ('$id' in body || place === '/redfish/v1/odata') return [];
  const response = responseDefinition(method, place, body);
  if (response) {
    return [...faultsAgainst(response[0], response[1], body), ...nestedFaults(body, '')];
  }
  const ownResponse = ownResponses[place.slice(place.lastIndexOf('/') + 1)];
  if (ownResponse !== undefined) return ownFaults(ownResponse, body, '');
  if (!('@odata.type' in body)) return bareFaults(body);
  const isPartial = /(^|&)(\$|%24)select=/.test(query);
  return [...resourceFaults(body, '', isPartial), ...nestedFaults(body, '', isPartial)];
}

/** OpenBMC's web UI finds the reason of a refusal only where extended information is the first member. */
function orderFaults({ error }: Members): string[] {
  const [first] = isMembers(error) ? Object.keys(error) : [];
  return first === '@Message.ExtendedInfo' ? [] : [`/error begins with ${first}`];
}

/** Registry.Major.Minor.Key (DSP0266, "MessageId format"); the schemas have no pattern for it. */
const messageIdPattern = /^[A-Za-z]\w*\.\d+\.\d+\.[A-Za-z]\w*$/;

/** What an action answers, at its target or, when it took long, at the monitor of its task. */
function responseDefinition(method: string, place: string, body: Members) {
  if ('@odata.type' in body) return undefined;
  if (method === 'POST') return actionResponses[place.slice(place.lastIndexOf('/') + 1)];
  const isOfTask = place.includes('/TaskMonitors/') && 'CSRString' in body;
  if (!isOfTask) return undefined;
  const name =
    'CertificateCollection' in body ? 'CertificateService.GenerateCSR' : 'Certificate.Renew';
  return actionResponses[name];
}

/** An answer that is no resource may only tell what happened. */
function bareFaults(body: Members): string[] {
  const others = Object.keys(body).filter((name) => name !== '@Message.ExtendedInfo');
  return [
    ...others.map((name) => `/${name} stands in an answer without @odata.type`),
    ...nestedFaults(body, ''),
  ];
}

function resourceFaults(body: Members, at: string, isPartial: boolean): string[] {
  const type = String(body['@odata.type']);
  const found = /^#(\w+)\.(?:(v\d+_\d+_\d+)\.)?(\w+)$/.exec(type);
  if (!found) return [`${at}/@odata.type is no type: ${type}`];
  const [, name = '', version, definition = ''] = found;
  const file = version === undefined ? name : `${name}.${version}`;
  return schemaFaults(file, definition, body, at, isPartial);
}

function faultsAgainst(name: string, definition: string, body: Members, at = ''): string[] {
  return schemaFaults(schemas?.newest(name) ?? '', definition, body, at, false);
}

function schemaFaults(
  file: string,
  definition: string,
  body: Members,
  at: string,
  isPartial: boolean,
): string[] {
  if (!schemas) return [];
  try {
    const check = schemas.check(file, definition);
    if (check(body)) return [];
    const errors = check.errors ?? [];
    // What lacks a required member does not fit as a link either, and both are told
    const lacking = errors
      .filter(({ keyword }) => isPartial && keyword === 'required')
      .map(({ instancePath }) => instancePath);
    return errors
      .filter(({ instancePath }) => !lacking.includes(instancePath))
      .map(({ instancePath, message = '', params }) => {
        return `${at}${instancePath || '/'} ${message} ${JSON.stringify(params)}`;
      });
  } catch (error) {
    return [`${at}/@odata.type: ${error instanceof Error ? error.message : error}`];
  }
}

/** Expanded resources and messages, which the schema of what is around them leaves open. */
function nestedFaults(value: unknown, at: string, isPartial = false): string[] {
  if (Array.isArray(value)) {
    return value.flatMap((one, index) => faultsWithin(one, `${at}/${index}`, isPartial));
  }
  if (!isMembers(value)) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    if (name === 'Oem') return oemFaults(inner, `${at}/Oem`);
    const isId = (name === 'MessageId' || name === 'code') && typeof inner === 'string';
    if (isId && !messageIdPattern.test(inner)) {
      return [`${at}/${name} is no MessageId: ${inner}`];
    }
    if (name.endsWith('@Message.ExtendedInfo')) return messageFaults(inner, `${at}/${name}`);
    return faultsWithin(inner, `${at}/${name}`, isPartial);
  });
}

/** What is of others is open. */
function oemFaults(value: unknown, at: string): string[] {
  if (!isMembers(value)) return [];
  return Object.entries(value).flatMap(([vendor, inner]) => {
    const type = isMembers(inner) ? String(inner['@odata.type']) : '';
    const own = /^#BmcCertificates\.v1_0_0\.(\w+)$/.exec(type)?.[1];
    return own === undefined ? [] : ownFaults(own, inner, `${at}/${vendor}`);
  });
}

function faultsWithin(value: unknown, at: string, isPartial: boolean): string[] {
  const isExpanded = isMembers(value) && '@odata.id' in value && '@odata.type' in value;
  const own = isExpanded ? resourceFaults(value, at, isPartial) : [];
  return [...own, ...nestedFaults(value, at, isPartial)];
}

function messageFaults(value: unknown, at: string): string[] {
  if (!Array.isArray(value)) return [`${at} is no array`];
  return value.flatMap((one, index) => {
    const place = `${at}/${index}`;
    if (!isMembers(one)) return [`${place} is no object`];
    return [...faultsAgainst('Message', 'Message', one, place), ...nestedFaults(one, place)];
  });
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
