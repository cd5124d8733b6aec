import { describe, expect, test } from 'vitest'
import { assignmentKey, choose } from './choose.ts'
import { addressFor, checkedAddress, checkedName, type LandingPage } from './page.ts'

const page = (id: string, address = `https://shop.example.com/${id}`): LandingPage => ({ id, name: id, address, offered: true })
const pages = ['own', 'forPartner', 'forCampaign', 'forIndustry'].map((id) => page(id))
const rule = {
  landingPage: 'https://shop.example.com/',
  allowedHosts: ['eu.example.com', '10.1.2.3'],
  privateAddresses: false,
  landing: {
    pages: new Map(pages.map((known) => [known.id, known])),
    assigned: new Map([
      [assignmentKey('partner', 'ada'), 'forPartner'],
      [assignmentKey('campaign', 'Spring'), 'forCampaign'],
      [assignmentKey('industry', 'saas'), 'forIndustry'],
    ]),
  },
}
const plain = { code: 'abc', partnerId: 'bob', campaign: null, destination: null, landingPageId: null }

describe('the page of a link', () => {
  test.each([
    ['its own address before everything', { ...plain, partnerId: 'ada', destination: 'https://eu.example.com/x' }, 'link', null],
    ['its own page', { ...plain, partnerId: 'ada', landingPageId: 'own', campaign: 'spring' }, 'link', 'own'],
    ['its partner’s', { ...plain, partnerId: 'ada', campaign: 'spring' }, 'partner', 'forPartner'],
    ['its campaign’s, in any case', { ...plain, campaign: 'SPRING' }, 'campaign', 'forCampaign'],
    ['its industry’s', { ...plain, campaign: 'autumn' }, 'industry', 'forIndustry'],
    ['its partner’s when its own was removed', { ...plain, partnerId: 'ada', landingPageId: 'gone' }, 'partner', 'forPartner'],
    [
      'its industry’s when its own address is not allowed any more',
      { ...plain, destination: 'https://evil.test/' },
      'industry',
      'forIndustry',
    ],
    ['its industry’s when its own is a private address', { ...plain, destination: 'https://10.1.2.3/' }, 'industry', 'forIndustry'],
  ] as const)('is %s', (_, link, because, pageId) => {
    expect(choose(link, 'saas', rule)).toMatchObject({ because, pageId })
  })

  test('is the program’s when nothing else is there', () => {
    expect(choose(plain, 'finance', rule)).toEqual({ address: 'https://shop.example.com/', pageId: null, because: 'program' })
  })
})

describe('an address with places', () => {
  test('holds what is known of the link, encoded', () => {
    const address = 'https://shop.example.com/{industry}?ref={code}&c={campaign}'
    expect(addressFor(address, { code: 'ada', campaign: 'a&b=c/ü', industry: 'real-estate' })).toBe(
      'https://shop.example.com/real-estate?ref=ada&c=a%26b%3Dc%2F%C3%BC',
    )
    expect(addressFor(address, { code: 'ada', campaign: null, industry: 'saas' })).toBe('https://shop.example.com/saas?ref=ada&c=')
  })

  test.each([
    ['no address', 'shop', 'bad_page'],
    ['a script', 'javascript:alert({code})', 'bad_page'],
    ['a line break', 'https://shop.example.com/\r\nx', 'bad_page'],
    ['without encryption', 'http://shop.example.com/', 'bad_page'],
    ['an unknown place', 'https://shop.example.com/{email}', 'bad_place'],
    ['a place in the host', 'https://{code}.example.com/', 'bad_place'],
    ['a place that ends the host', 'https://shop.example.com{code}/', 'bad_place'],
    ['another host', 'https://elsewhere.example.net/{code}', 'page_not_allowed'],
    ['a private address', 'https://10.1.2.3/', 'page_not_allowed'],
    ['too long', `https://shop.example.com/${'x'.repeat(1000)}`, 'bad_page'],
  ])('is refused when it is %s', (_, address, code) => {
    expect(() => checkedAddress(address, rule)).toThrow(expect.objectContaining({ code }))
  })

  test('is kept as it was written', () => {
    expect(checkedAddress(' https://eu.example.com/start?ref={code} ', rule)).toBe('https://eu.example.com/start?ref={code}')
  })
})

test.each(['', '  ', 'none', 'Default', 'x'.repeat(51)])('%j is no name of a page', (name) => {
  expect(() => checkedName(name)).toThrow(expect.objectContaining({ code: 'bad_name' }))
})
