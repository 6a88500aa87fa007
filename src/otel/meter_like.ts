/**
 * The part of `@opentelemetry/api` that metrics of a limiter need, so that the library does not import it.
 *
 * @module
 */

/** What an instrument is created with. */
export interface InstrumentOptionsLike {
  /** What it measures. */
  readonly description: string;
  /** The unit, in UCUM. */
  readonly unit: string;
}

/** The attributes of a measurement. */
export type AttributesLike = Readonly<Record<string, string | number | boolean>>;

/** What a callback observes measurements with. */
export interface BatchResultLike {
  /** Adds a measurement. */
  observe(instrument: never, value: number, attributes: AttributesLike): void;
}

/** A `Meter` of `@opentelemetry/api`. */
export interface MeterLike {
  /** Creates a sum that goes up and down, such as of open connections. */
  createObservableUpDownCounter(name: string, options: InstrumentOptionsLike): object;
  /** Creates a sum that only goes up. */
  createObservableCounter(name: string, options: InstrumentOptionsLike): object;
  /** Creates a value that is no sum. */
  createObservableGauge(name: string, options: InstrumentOptionsLike): object;
  /** Has a callback called for each collection. */
  addBatchObservableCallback(callback: (result: BatchResultLike) => void, instruments: never): void;
  /** Ends that. */
  removeBatchObservableCallback(callback: (result: BatchResultLike) => void, instruments: never): void;
}
