// Domains under which many companies and people have their addresses: such a domain says nothing about who a prospect is.

const services = new Set(
  `126.com 163.com aim.com aol.com bluewin.ch comcast.net duck.com fastmail.com free.fr freenet.de gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.net
  googlemail.com hey.com hotmail.co.uk hotmail.com hotmail.de hotmail.fr hotmail.it icloud.com laposte.net libero.it live.com mac.com mail.com mail.de
  mail.ru mailbox.org me.com msn.com naver.com orange.fr outlook.com outlook.de outlook.fr pm.me posteo.de proton.me protonmail.com qq.com rediffmail.com
  rocketmail.com seznam.cz sfr.fr sina.com t-online.de tuta.com tutanota.com verizon.net virgilio.it wanadoo.fr web.de wp.pl yahoo.ca yahoo.co.jp
  yahoo.co.uk yahoo.com yahoo.com.br yahoo.de yahoo.es yahoo.fr yahoo.in yahoo.it yandex.com yandex.ru ymail.com zoho.com`.split(
    /\s+/,
  ),
)

export function isSharedMailDomain(domain: string): boolean {
  return services.has(domain)
}
