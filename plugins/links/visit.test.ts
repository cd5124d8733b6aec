// Who counts as a person: judged on published lists of crawlers and of the browsers that people use most, and on the browsers inside of apps.
import crawlers from 'crawler-user-agents'
import topBrowsers from 'top-user-agents'
import { expect, test } from 'vitest'
import { agentOf } from './visit.ts'

/**
 * The list of crawlers names some agents that a person sits behind: the browsers inside of apps for social networks and editors, and Fluid, which makes an app
 * out of a web page. Whoever follows a link there counts.
 */
const people = /Instagram|MetaIAB Facebook|Fluid\/|(Code|Trae)\/1\.\d+\.\d+ Chrome/

test('at least 98 % of published crawlers are recognised', () => {
  const agents = crawlers.flatMap(({ instances }) => instances)
  const misses = agents.filter((agent) => !agentOf(agent).isBot)
  const recall = 1 - misses.length / agents.length
  console.info(`${agents.length} crawlers, ${(100 * recall).toFixed(2)} % recognised; not recognised:\n${misses.join('\n')}`)
  expect(agents.length).toBeGreaterThan(1500)
  expect(recall).toBeGreaterThanOrEqual(0.98)
  expect(misses.filter((agent) => !people.test(agent)).length).toBeLessThanOrEqual(5)
})

test('no browser of those that people use most is taken for a bot', () => {
  expect(topBrowsers.length).toBeGreaterThanOrEqual(100)
  expect(topBrowsers.filter((agent) => agentOf(agent).isBot)).toEqual([])
})

const iphone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)'
const android =
  'Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/AP1A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/142.0.0.0 Mobile Safari/537.36'
const windows = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)'

test.each([
  ['Facebook', `${iphone} Mobile/15E148 [FBAN/FBIOS;FBAV/512.0.0.50.99;FBDV/iPhone14,5]`],
  ['Facebook on Android', `${android} [FB_IAB/FB4A;FBAV/512.0.0.0.1;]`],
  ['Instagram', `${iphone} Mobile/15E148 Instagram 380.0.0.28.104 (iPhone14,5; iOS 18_5; en_US)`],
  ['Pinterest', `${android} [Pinterest/Android]`],
  ['LinkedIn', `${iphone} Mobile/15E148 [LinkedInApp]/9.30`],
  ['Snapchat', `${iphone} Mobile/15E148 Snapchat/13.40.0.42 (like Safari/8620.1.16, panda)`],
  ['TikTok', `${android} trill_2023708050 JsSdk/1.0 AppName/musical_ly app_version/37.8.5 BytedanceWebview/d8a21c6`],
  ['X', `${iphone} Mobile/15E148 Twitter for iPhone/10.80`],
  ['Reddit', `${iphone} Version/18.5 Mobile/15E148 Safari/604.1 Reddit/2025.20`],
  ['Telegram', `${android} Telegram-Android/11.0`],
  ['WeChat', `${android} MMWEBSDK/20240404 MicroMessenger/8.0.49.2600 WeChat/arm64`],
  ['Line', `${android} Line/15.1.0/IAB`],
  ['Yahoo Mail', `${iphone} Mobile/15E148 YahooMobileMail/1.0`],
  ['a Google app', `${iphone} GSA/370.0.7 Mobile/15E148 Safari/604.1`],
  ['Discord on a computer', `${windows} discord/1.0.9200 Chrome/134.0.6998.179 Electron/35.1.5 Safari/537.36`],
  ['a phone by Cubot', android.replace('Pixel 8', 'CUBOT KINGKONG')],
])('the browser of %s belongs to a person', (_, agent) => expect(agentOf(agent).isBot).toBe(false))

test.each([
  ['desktop', `${windows} Chrome/142.0.0.0 Safari/537.36`],
  ['desktop', 'Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36'],
  ['desktop', 'nobody knows'],
  ['mobile', `${iphone} Version/18.5 Mobile/15E148 Safari/604.1`],
  ['mobile', android],
  ['mobile', 'Mozilla/5.0 (Android 15; Mobile; rv:150.0) Gecko/150.0 Firefox/150.0'],
  [
    'tablet',
    'Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1',
  ],
  ['tablet', 'Mozilla/5.0 (Linux; Android 15; SM-X910) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36'],
  ['tablet', 'Mozilla/5.0 (Android 15; Tablet; rv:150.0) Gecko/150.0 Firefox/150.0'],
  [
    'tablet',
    'Mozilla/5.0 (Linux; Android 11; KFTRWI) AppleWebKit/537.36 (KHTML, like Gecko) Silk/142.1 like Chrome/142.0.0.0 Safari/537.36',
  ],
])('a %s is told by its user agent', (device, agent) => expect(agentOf(agent).device).toBe(device))

test('an agent that is not remembered for its length is judged all the same', () => {
  expect(agentOf(`${android} ${'x'.repeat(5000)}`)).toEqual({ isBot: false, device: 'mobile' })
  expect(agentOf(`Googlebot ${'x'.repeat(5000)}`).isBot).toBe(true)
})
