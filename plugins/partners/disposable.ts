// Domains of throw-away mail services, and the question whether an address belongs to one. Small on purpose: those met most often.

const domains = new Set(
  `0-mail.com 10minutemail.com 10minutemail.net 1secmail.com 1secmail.net 1secmail.org 20minutemail.com 33mail.com anonaddy.me
  burnermail.io byom.de cock.li crazymailing.com deadaddress.com discard.email discardmail.com dispostable.com dropmail.me
  emailondeck.com emailtemporanea.net fakeinbox.com fakemail.net fakemailgenerator.com getairmail.com getnada.com
  grr.la guerrillamail.biz guerrillamail.com guerrillamail.de guerrillamail.info guerrillamail.net guerrillamail.org
  guerrillamailblock.com harakirimail.com inboxbear.com inboxkitten.com incognitomail.org jetable.org mail-temp.com mail.tm
  mailcatch.com maildrop.cc mailinator.com mailinator.net mailnesia.com mailnull.com mailpoof.com mailsac.com mailtemp.net
  meltmail.com minuteinbox.com mintemail.com moakt.cc moakt.com mohmal.com mytemp.email mytrashmail.com nada.email
  nospam.ze.tc pokemail.net sharklasers.com spam4.me spambog.com spambox.us spamgourmet.com temp-mail.io temp-mail.org
  tempail.com tempinbox.com tempm.com tempmail.com tempmail.dev tempmail.net tempmail.plus tempmailaddress.com tempmailo.com
  tempr.email throwawaymail.com trash-mail.com trashmail.com trashmail.de trashmail.net trbvm.com wegwerfmail.de wegwerfmail.net
  wegwerfmail.org yopmail.com yopmail.fr yopmail.net`.split(/\s+/),
)

/** Whether the domain, or one that it is part of, is a throw-away mail service. `domain` in lower case. */
export function isDisposable(domain: string): boolean {
  const labels = domain.split('.')
  return labels.some((_, i) => domains.has(labels.slice(i).join('.')))
}
