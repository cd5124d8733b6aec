// Figures that operators watch: plugins contribute them, /metrics shows them.

export interface GaugeValue {
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number
}

/** One figure, or one for each set of labels. */
export interface Gauge {
  /** In the manner of Prometheus: `siso_ledger_proof_ok`. Starts with `siso_` and the plugin's id. */
  readonly name: string
  /** What it says, and from which value on somebody should look. */
  readonly help: string
  /** The names of its labels, few and with few values: never a person, a partner or an id of one. */
  readonly labels?: readonly string[]
  /** Read each time somebody asks: it must be cheap, change nothing, and may fail, which costs this figure only. */
  read(): Promise<readonly GaugeValue[]>
}
