/** Of one event; those of Redfish have a few hundred. */
const maxCharacters = 1 << 20;

/** The JSON of each event of a stream (WHATWG HTML, "Server-sent events"); what is no JSON is none. */
export async function* eventsIn(chunks: AsyncIterable<unknown>): AsyncGenerator<unknown> {
  let text = '';
  let data: string[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    text += String(chunk);
    if (text.length + length > maxCharacters)
      throw new Error('an event is longer than any that is known');
    // A carriage return at the end may be the first half of a line break
    const lines = text.split(/\r\n|\n|\r(?!$)/);
    text = lines.pop() ?? '';
    for (const line of lines) {
      const [, value] = /^data: ?(.*)$/s.exec(line) ?? [];
      if (value !== undefined) {
        data.push(value);
        // With its line break, so that lines without a text count, too
        length += value.length + 1;
      }
      if (line !== '' || data.length === 0) continue;
      const event = parsed(data.join('\n'));
      data = [];
      length = 0;
      if (event !== undefined) yield event;
    }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
