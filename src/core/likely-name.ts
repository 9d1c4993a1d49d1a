/** Letters in which a name may differ from the one that was meant; of a short name, a third of them. */
const maxEdits = 2;
const longest = 64;

/** The question whether a name was meant; empty where no name is near. */
export function didYouMean(given: string, names: readonly string[] = []): string {
  const meant = likelyName(given, names);
  return meant === undefined ? '' : `did you mean ${meant}?`;
}

/** The one of these names that was probably meant, as by a wrong spelling or case; `undefined` where none is near. */
function likelyName(given: string, names: readonly string[]): string | undefined {
  if (given.length > longest) return undefined;
  const edits = names.map(
    (name) => [name, editsBetween(given.toLowerCase(), name.toLowerCase())] as const,
  );
  const [nearest] = edits.toSorted(([, one], [, other]) => one - other);
  const most = Math.min(maxEdits, Math.floor(given.length / 3));
  return nearest && nearest[1] <= most ? nearest[0] : undefined;
}

/** Letters to put in, take out or replace (Levenshtein). */
function editsBetween(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (const [line, letter] of [...one].entries()) {
    let last = line + 1;
    const next = [last];
    for (const [at, otherLetter] of [...other].entries()) {
      const replaced = (row[at] ?? 0) + (letter === otherLetter ? 0 : 1);
      last = Math.min(replaced, last + 1, (row[at + 1] ?? 0) + 1);
      next.push(last);
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
