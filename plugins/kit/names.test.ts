import { expect, test } from 'vitest'
import { holdsWebAddress } from './names.ts'

test.each([
  'Visit http://evil.example',
  'hxxp://10.0.0.1',
  'www. evil',
  'Ada evil.example/now',
  'ada@evil.example',
  'x.co',
  'EVIL.COM',
  'evil.xn--p1ai',
  'вред.рф',
  'उदाहरण.भारत',
  'evil。com',
])('“%s” holds a web address', (name) => expect(holdsWebAddress(name)).toBe(true))

test.each([
  'Ada Lovelace',
  'J. R. R. Tolkien',
  'J.R. Smith',
  'Dr. Anna Müller, Ph.D.',
  'Acme Inc.',
  'Ada Lovelace c/o Byron',
  'Sammy Davis Jr.',
  'Wwwilhelm',
  'Agent 4.5',
  '山田太郎',
])('“%s” holds none', (name) => expect(holdsWebAddress(name)).toBe(false))
