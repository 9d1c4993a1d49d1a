import { modules, namespaces, yangText } from '../models/modules.ts';
import type { Operation } from '../rpc/operation.ts';
import { RpcError } from '../rpc/rpc-error.ts';
import { element } from '../xml/element.ts';
import { mustBeAllowed, toRead } from './access.ts';
import { parametersOf, required, textOf } from './parameters.ts';

/** `<get-schema>`: the text of a module (RFC 6022 §3.1). */
export const getSchema: Operation = async (request, caller) => {
  await mustBeAllowed(caller, toRead);
  const parameters = parametersOf(request, ['identifier', 'version', 'format']);
  const identifier = textOf(required(parameters.identifier, 'identifier'));
  const version = parameters.version && textOf(parameters.version);
  const found = modules.find(
    ({ name, revision }) => name === identifier && (version ?? revision) === revision,
  );
  const format = parameters.format ? textOf(parameters.format) : 'yang';
  // An identityref, whose prefix is the client's
  if (!found || !/^(?:[^:]+:)?yang$/.test(format))
    throw new RpcError(
      'invalid-value',
      'there is no such schema: /netconf-state/schemas lists them',
      {
        type: 'application',
      },
    );
  return [element(namespaces.monitoring, 'data', yangText(found))];
};
