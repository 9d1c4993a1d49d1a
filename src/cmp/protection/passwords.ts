import { readRegularFileSync } from '../../storage/regular-file.ts';
import { EnrolmentFault } from '../enrolment-fault.ts';
import type { CaProfile } from '../settings.ts';

/**
 * The password of a reference of a CA profile, read each time that it is needed. The bytes are UTF-8 as they stand in the
 * file, without the newline at its end.
 * @throws EnrolmentFault `configuration`, which never quotes the file
 */
export function readPassword({ name, keyList }: CaProfile, reference: string): Buffer {
  const entry = Object.hasOwn(keyList, reference) ? keyList[reference] : undefined;
  if (!entry)
    throw new EnrolmentFault(
      'configuration',
      `the CA profile ${name} has no password for the reference ${reference}`,
    );
  let text: string;
  try {
    text = readRegularFileSync(entry.passwordFile).replace(/\r?\n$/, '');
  } catch (cause) {
    const reason = `the password file of reference ${reference} of the CA profile ${name} cannot be read`;
    throw new EnrolmentFault('configuration', reason, { cause });
  }
  if (text === '')
    throw new EnrolmentFault(
      'configuration',
      `the password file of reference ${reference} of the CA profile ${name} is empty`,
    );
  return Buffer.from(text, 'utf8');
}
