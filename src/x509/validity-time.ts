import { type Asn1, bytesOf, DerError, tags, universalTag } from './der.ts';

/**
 * Reads a UTCTime or GeneralizedTime in the forms of RFC 5280 §4.1.2.5.
 * @returns seconds since 1970
 * @throws DerError
 */
export function readTime(node: Asn1 | undefined): number {
  const text = bytesOf(node).toString('latin1');
  const long = universalTag(node) === tags.GENERALIZED_TIME;
  const match = (
    long
      ? /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/
      : /^(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/
  ).exec(text);
  if (!match) throw new DerError('a date is not in the form that RFC 5280 demands');
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1)
    .map(Number);
  const century = long ? 0 : year < 50 ? 2000 : 1900;
  // setUTCFullYear, because Date.UTC takes years below 100 for years of the twentieth century
  const date = new Date(0);
  date.setUTCFullYear(century + year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  // Date carries a 32nd day into the next month; such a date is none
  const digits = date.toISOString().replace(/[-:T]|\..*$/g, '');
  if (!digits.endsWith(text.slice(0, -1))) throw new DerError('a date does not exist');
  return Math.floor(date.getTime() / 1000);
}
