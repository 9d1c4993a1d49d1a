import type { InterfaceSpec, Signature } from './interface.ts';

const head = `<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"
"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">
`;

/** The introspection data of an object with these interfaces and these names of direct children. */
export function introspect(specs: readonly InterfaceSpec[], children: readonly string[]): string {
  const nodes = children.map((name) => ` <node name="${name}"/>\n`);
  return `${head}<node>\n${specs.map(describe).join('')}${nodes.join('')}</node>\n`;
}

function describe(spec: InterfaceSpec): string {
  const { name, methods, properties, signals = {} } = spec;
  const lines = [` <interface name="${name}">`];
  for (const [method, { in: inputs, out, privileged }] of Object.entries(methods)) {
    const children = [...args(inputs, 'in'), ...args(out, 'out')];
    if (privileged) {
      children.push('   <annotation name="org.freedesktop.systemd1.Privileged" value="true"/>');
    }
    lines.push(...element('method', `name="${method}"`, children));
  }
  for (const [property, type] of Object.entries(properties)) {
    const access = spec.writable?.includes(property) ? 'readwrite' : 'read';
    const attributes = `name="${property}" type="${type}" access="${access}"`;
    const children = spec.constant?.includes(property) ? [neverChanges] : [];
    lines.push(...element('property', attributes, children));
  }
  for (const [signal, names] of Object.entries(signals)) {
    lines.push(...element('signal', `name="${signal}"`, args(names)));
  }
  return `${[...lines, ' </interface>'].join('\n')}\n`;
}

const neverChanges =
  '   <annotation name="org.freedesktop.DBus.Property.EmitsChangedSignal" value="const"/>';

function element(tag: string, attributes: string, children: readonly string[]): string[] {
  if (children.length === 0) return [`  <${tag} ${attributes}/>`];
  return [`  <${tag} ${attributes}>`, ...children, `  </${tag}>`];
}

function args(names: Readonly<Record<string, Signature>>, direction?: 'in' | 'out'): string[] {
  const suffix = direction ? ` direction="${direction}"` : '';
  return Object.entries(names).map(
    ([name, type]) => `   <arg name="${name}" type="${type}"${suffix}/>`,
  );
}
