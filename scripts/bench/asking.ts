// The redirect as it is when it hears no news and so remembers nothing: every visitor's link is looked up in the database. Otherwise the real thing.
import { offlineHouse } from '../../app/offline.ts'
import { connect } from '../../db/connect.ts'
import { plugins } from '../../plugins/index.ts'

const wanted = new Set(['links', 'agreements', 'attribution', 'partners', 'notifications'])
const house = await offlineHouse(
  await connect(process.env.DATABASE_URL!, { max: 12 }),
  plugins.filter(({ id }) => wanted.has(id)),
  { now: new Date().toISOString() },
)
await house.app.listen({ host: '127.0.0.1', port: 0 })
process.send!({ ready: (house.app.server.address() as { port: number }).port })
process.once('disconnect', () => void house.close().finally(() => process.exit(0)))
