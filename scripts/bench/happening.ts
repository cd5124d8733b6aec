// The event of the events bench, and the plugin that listens to it: each delivery writes one row, in the listener's transaction, with its own time.
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { defineEvent, on } from '../../plugins/kit/events.ts'
import { definePlugin } from '../../plugins/kit/plugin.ts'

export const happened = defineEvent('bench.happened', { number: z.int() })

/** Made by the bench before the program starts; no constraint keeps a second delivery out, so that one would be seen. */
export const notes =
  'create table bench_notes (number int not null, emitted_at timestamptz not null, handled_at timestamptz not null default clock_timestamp())'

export const listening = definePlugin({
  id: 'bench',
  title: 'Bench',
  summary: 'Notes what happens.',
  setup: () => ({
    listeners: [
      on(happened, 'bench.note', async (tx, { number }, { at }) => {
        await tx.execute(sql`insert into bench_notes (number, emitted_at) values (${number}, ${at.toISOString()})`)
      }),
    ],
  }),
})
