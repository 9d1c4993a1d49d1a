import { formatPem } from '../../../src/x509/pem.ts';
import { derMutators, lengthMutators } from './mutate-der.ts';
import { byteMutators, type Mutator } from './mutation.ts';

const block = /-----BEGIN ([A-Z0-9 ]+)-----\n([A-Za-z0-9+/=\n]+)-----END \1-----\n/g;

/** Changes inside of one block of a file, in PEM that is as good as before. */
export const pemMutators: readonly Mutator[] = [
  ...derMutators,
  ...lengthMutators,
  ...byteMutators,
].map((change) => (input, dice, other) => {
  const text = input.toString();
  const count = text.match(block)?.length ?? 0;
  const chosen = dice.below(count || 1);
  const [, , body = ''] = block.exec(other.toString()) ?? [];
  block.lastIndex = 0;
  let n = 0;
  const changed = text.replace(block, (whole, label: string, base64: string) => {
    if (n++ !== chosen) return whole;
    const der = change(Buffer.from(base64, 'base64'), dice, Buffer.from(body, 'base64'));
    return formatPem(label, der);
  });
  return Buffer.from(changed);
});
