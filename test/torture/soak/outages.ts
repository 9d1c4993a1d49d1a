/** When the test took something away, so that errors of these times were asked for. */
export class Outages {
  readonly #spans: { readonly from: number; to: number }[] = [];
  /** When the Redfish service was last ended, and all sessions with it. */
  serviceEnded = Number.NEGATIVE_INFINITY;

  /** @returns how to tell that everything is back */
  begin(): () => void {
    const span = { from: performance.now(), to: Number.POSITIVE_INFINITY };
    this.#spans.push(span);
    return () => {
      span.to = performance.now();
    };
  }

  /** Whether any of it was away at some moment between these. */
  overlap(began: number, ended: number): boolean {
    return this.#spans.some(({ from, to }) => from <= ended && to >= began);
  }
}
