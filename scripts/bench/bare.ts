// What the redirect is measured against: a Fastify that answers every request with the same kind of redirect and stores nothing.
import Fastify from 'fastify'

const app = Fastify()
app.get('/r/:code', (_request, reply) => reply.redirect('https://shop.example.com/start?lang=en', 302))
await app.listen({ host: '127.0.0.1', port: 0 })
process.send!({ ready: (app.server.address() as { port: number }).port })
process.once('disconnect', () => process.exit(0))
