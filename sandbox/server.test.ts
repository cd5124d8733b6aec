// All vendors together: one call starts them, Discord's port answers for all, and nothing is left when they close.

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import sendgrid from '@sendgrid/mail'
import { expect, test } from 'vitest'
import { startSandbox } from './server.ts'

const script = fileURLToPath(new URL('../scripts/sandbox.ts', import.meta.url))

test('one port answers for Discord, its client, the inbox and Stripe’s controls', async () => {
  const sandbox = await startSandbox()
  const { urls } = sandbox
  const base = urls.discord.api.replace(/\/api$/, '')
  try {
    expect(await (await fetch(`${urls.discord.api}/v10/gateway`)).json()).toEqual({ url: urls.discord.gateway })
    expect((await fetch(urls.discord.client)).headers.get('content-type')).toContain('text/html')
    sendgrid.setApiKey('SG.sandbox')
    const { client } = sendgrid as unknown as { client: { setDefaultRequest: (key: string, value: string) => void } }
    client.setDefaultRequest('baseUrl', urls.sendgrid)
    await sendgrid.send({ to: 'ada@example.com', from: 'house@example.com', subject: 'Welcome', text: 'Hello' })
    expect(await (await fetch(`${base}/sandbox/mail?to=ada@example.com`)).json()).toMatchObject([{ subject: 'Welcome' }])
    expect((await fetch(`${base}/sandbox/stripe/nothing-here`, { method: 'POST' })).status).toBe(404)
    expect(await (await fetch(`${base}/sandbox/links`)).json()).toMatchObject({ shop: urls.shop })
    await fetch(`${base}/sandbox/reset`, { method: 'POST' })
    expect(await (await fetch(`${base}/sandbox/mail`)).json()).toEqual([])
  } finally {
    await sandbox.close()
  }
  await expect(fetch(`${urls.discord.api}/v10/gateway`)).rejects.toThrow()
  await expect(fetch(urls.stripe)).rejects.toThrow()
})

test('the command prints one JSON line with the addresses and ends on SIGTERM', async () => {
  const child = spawn(process.execPath, [script])
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const urls = JSON.parse(line.toString())
  expect(Object.keys(urls)).toEqual(['discord', 'stripe', 'paypal', 'sendgrid', 'shop'])
  expect(Object.keys(urls.discord)).toEqual(['api', 'gateway', 'client'])
  child.kill('SIGTERM')
  expect((await once(child, 'exit'))[0]).toBe(0)
})

test('stopping npm stops the sandbox that it started', async () => {
  const npm = spawn('npm', ['run', '--silent', 'sandbox'], { cwd: fileURLToPath(new URL('..', import.meta.url)) })
  const [line] = (await once(npm.stdout, 'data')) as [Buffer]
  const { discord } = JSON.parse(line.toString())
  npm.kill('SIGTERM')
  const answers = () =>
    fetch(`${discord.api}/v10/gateway`).then(
      () => true,
      () => false,
    )
  await expect.poll(answers, { timeout: 5000 }).toBe(false)
}, 15_000)

test('a port in use is said in a sentence, with exit status 1', async () => {
  const blocker = createServer().listen(0, '127.0.0.1')
  await once(blocker, 'listening')
  const { port } = blocker.address() as AddressInfo
  const run = promisify(execFile)(process.execPath, [script, '--port', String(port)])
  await expect(run).rejects.toMatchObject({
    code: 1,
    stderr: `Port ${port} is already in use. Stop what is using it, or choose another with --port.\n`,
  })
  blocker.close()
})
