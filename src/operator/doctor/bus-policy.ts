/** One `allow` or `deny` of a policy (dbus-daemon(1), "<policy>"). */
export interface PolicyRule {
  readonly allows: boolean;
  readonly attributes: Readonly<Record<string, string>>;
}

/** The rules for those whom a `policy` element names. */
export interface Policy {
  readonly attributes: Readonly<Record<string, string>>;
  readonly rules: readonly PolicyRule[];
}

/** Who sends, or owns a name. */
export interface Subject {
  readonly kind: 'user' | 'group';
  readonly name: string;
}

const tag = /<(\/?)([A-Za-z_]+)((?:\s+[\w-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(\/?)>/g;
const attribute = /([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

/** Reads a policy file. The bus has read it before, so what is no such file has no rules here. */
export function parsePolicies(text: string): readonly Policy[] {
  const policies: { attributes: Policy['attributes']; rules: PolicyRule[] }[] = [];
  for (const [, end, name, attributes = ''] of text.replace(/<!--.*?-->/gs, '').matchAll(tag)) {
    if (end) continue;
    if (name === 'policy') policies.push({ attributes: attributesOf(attributes), rules: [] });
    if (name === 'allow' || name === 'deny')
      policies.at(-1)?.rules.push({
        allows: name === 'allow',
        attributes: attributesOf(attributes),
      });
  }
  return policies;
}

function attributesOf(text: string): Readonly<Record<string, string>> {
  const pairs = [...text.matchAll(attribute)].map(([, name = '', double, single]) => [
    name,
    double ?? single ?? '',
  ]);
  return Object.fromEntries(pairs);
}

/** Whether a subject may call methods of the connection that has these names, on a bus that allows no calls by itself. */
export function mayCall(
  policies: readonly Policy[],
  subject: Subject,
  names: readonly string[],
): boolean {
  return decide(policies, subject, ({ send_destination: name, send_type: type, ...others }) => {
    const isForCalls = type === undefined || type === '*' || type === 'method_call';
    const narrows = Object.keys(others).some((one) => /^(send|receive)_|^own/.test(one));
    return isForCalls && !narrows && name !== undefined && (name === '*' || names.includes(name));
  });
}

/** Whether a subject may own a name. */
export function mayOwn(policies: readonly Policy[], subject: Subject, name: string): boolean {
  return decide(policies, subject, ({ own, own_prefix: prefix }) => {
    if (own !== undefined) return own === '*' || own === name;
    return prefix !== undefined && (name === prefix || name.startsWith(`${prefix}.`));
  });
}

/** The last rule that applies counts; contexts come in this order. */
function decide(
  policies: readonly Policy[],
  subject: Subject,
  isAbout: (attributes: Readonly<Record<string, string>>) => boolean,
): boolean {
  const contexts = [
    (one: Policy) => one.attributes.context === 'default',
    (one: Policy) => subject.kind === 'group' && one.attributes.group === subject.name,
    (one: Policy) => subject.kind === 'user' && one.attributes.user === subject.name,
    (one: Policy) => one.attributes.context === 'mandatory',
  ];
  const rules = contexts.flatMap((applies) =>
    policies.filter(applies).flatMap((policy) => policy.rules),
  );
  return rules.findLast(({ attributes }) => isAbout(attributes))?.allows ?? false;
}
