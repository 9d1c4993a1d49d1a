import { type GeneralName, parseGeneralName } from '../x509/general-names.ts';
import type { AttributeType, NewAttribute } from '../x509/name.ts';
import { attributeTypes } from '../x509/oids.ts';
import { EnrolmentFault } from './enrolment-fault.ts';

/** What placeholders stand for on this device, now. */
export interface DeviceFacts {
  readonly hostname: string;
  /** Of the machine; `undefined` where it has none. */
  readonly serial: string | undefined;
  /** The global addresses of a network interface. */
  addresses(name: string): readonly string[];
}

/**
 * A subject such as `CN={hostname},O=Example\, Inc.`.
 * @throws EnrolmentFault `configuration`
 */
export function parseSubject(template: string, facts: DeviceFacts): NewAttribute[] {
  if (template.trim() === '') return [];
  return template.split(/(?<!\\),/).map((part) => {
    const [, name = '', value = ''] = /^\s*([A-Za-z]+)\s*=\s*(.*?)\s*$/.exec(part) ?? [];
    const type = Object.values(attributeTypes).find((one) => one === name);
    if (type === undefined || value === '') throw bad(`the subject has no attribute in ${part}`);
    return { type: type satisfies AttributeType, value: one(value.replaceAll('\\,', ','), facts) };
  });
}

/** @throws EnrolmentFault `configuration` */
export function parseNames(templates: readonly string[], facts: DeviceFacts): GeneralName[] {
  return templates
    .flatMap((template) => filled(template, facts))
    .map((text) => {
      const name = parseGeneralName(text);
      if (!name) throw bad(`${text} is no name for a certificate`);
      return name;
    });
}

function one(template: string, facts: DeviceFacts): string {
  const [text = '', ...others] = filled(template, facts);
  if (others.length > 0) throw bad(`${template} stands for several values in a subject`);
  return text;
}

const placeholder = /\{([^{}]*)\}/;

/** @returns a text for each value that a placeholder has */
function filled(template: string, facts: DeviceFacts): string[] {
  const [found, what = ''] = placeholder.exec(template) ?? [];
  if (found === undefined) return [template];
  const values = valuesOf(what, facts);
  if (values.length === 0) throw bad(`there is no ${what} on this device`);
  return values.flatMap((value) =>
    filled(
      template.replace(found, () => value),
      facts,
    ),
  );
}

function valuesOf(what: string, { hostname, serial, addresses }: DeviceFacts): readonly string[] {
  if (what === 'hostname') return [hostname];
  if (what === 'serial') return serial === undefined ? [] : [serial];
  const [, name] = /^address:(.+)$/.exec(what) ?? [];
  if (name === undefined) throw bad(`{${what}} is no placeholder`);
  return addresses(name);
}

function bad(reason: string): EnrolmentFault {
  return new EnrolmentFault('configuration', reason);
}
