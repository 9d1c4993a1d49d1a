import { type CredentialFile, pairText } from './credential-file.ts';

/**
 * Puts what is to be in service also where services read it, before it counts as in service.
 * @param next the text of the file, `undefined` where it goes
 * @param before the text that it has
 * @param commit puts it into service; when it rejects, the copies are to be what they were
 */
export type CopyFile = (
  next: string | undefined,
  before: () => Promise<string | undefined>,
  commit: () => Promise<void>,
) => Promise<void>;

/** A file of which services read copies. */
export function copiedFile(file: CredentialFile, copy: CopyFile): CredentialFile {
  const before = () => file.read();
  return {
    ...file,
    write: (pair, lastLook) => copy(pairText(pair), before, () => file.write(pair, lastLook)),
    writeAnew: (text, lastLook) => copy(text, before, () => file.writeAnew(text, lastLook)),
    remove: () => copy(undefined, before, () => file.remove()),
  };
}
