/** How much a query may ask for. */
export interface QueryLimits {
  readonly expandLevels: number;
  /** The most resources that are read for one request. */
  readonly expandedResources: number;
  readonly filterCharacters: number;
  readonly filterDepth: number;
  readonly selectedMembers: number;
}
