/** What clients would be told, in members that can be compared; the same state gives the same text. */
export type State = Readonly<Record<string, string | readonly string[]>>;

/** A device that has started on a directory. */
export interface Device {
  /** @throws AssertionError when memory and disk disagree, or when a file that services read is no good */
  state(): Promise<State>;
  /** Does what tells whether a new number was never given before. */
  newNumber?(): Promise<number>;
  /** What the device does now and then by itself. */
  maintain?(): Promise<void>;
  /** Ends what its owner left half done. */
  settle?(): Promise<void>;
  close(): Promise<void>;
}

/** Where a device is, and what the test gives it besides. */
export interface Place {
  /** Everything that the device keeps. */
  readonly directory: string;
  /** Texts by name, such as uploads. */
  readonly given: Readonly<Record<string, string>>;
}

/** One change of a device, from a state that is prepared. */
export interface Scene<D extends Device = Device> {
  readonly name: string;
  /** Makes the state before the change. @returns what `act` needs of it beyond what all are given */
  prepare(place: Place): Promise<Readonly<Record<string, string>>>;
  open(place: Place): Promise<D>;
  /**
   * The change; it is acknowledged when it resolves.
   * @param begin to be called when the new state may come about; before, only the old one may be found
   */
  act(device: D, place: Place, begin: () => void): Promise<void>;
  /** The change is the start itself: `act` has nothing to do. */
  readonly isStart?: boolean;
  /** A part of it may be done when the device looks after itself the next time. */
  readonly isDoneLater?: boolean;
  /** Plain names of files that are not the device's, which a cut may leave where they were put. */
  readonly leftOver?: readonly string[];
  /** Leaves out what is made up until the next start, where the disk did not read it at this one. */
  readonly untilNextStart?: (state: State) => State;
  /** Leaves out what may differ between two good outcomes of the same change, such as a random key. */
  readonly loosely?: (state: State) => State;
}

/** Hides what kind of device a scene is about from whoever only plays it. */
export function scene<D extends Device>(one: Scene<D>): Scene {
  return one as unknown as Scene;
}
