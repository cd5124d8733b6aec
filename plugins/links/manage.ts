// What people do with links and landing pages: the commands and controls from the files that hold them, and the default links of new partners.
import type { Parts, SetupContext } from '../kit/index.ts'
import type { Config } from './config.ts'
import { landingCommands } from './landing/commands.ts'
import { linkListeners } from './listeners.ts'
import { adminCommands, adminComponents } from './manage/adminCommands.ts'
import { partnerCommands, partnerComponents } from './manage/commands.ts'
import { editingCommands, editingComponents } from './manage/editing.ts'
import { importCommands, importComponents } from './manage/importing.ts'
import type { LinkParts } from './manage/parts.ts'
import { linkCardPart } from './public.ts'

export function manageLinks(
  given: Omit<LinkParts, 'cardParts'> & Pick<SetupContext<Config>, 'clock' | 'contributions'>,
): Pick<Parts, 'commandGroups' | 'commands' | 'components' | 'listeners'> {
  const parts = { ...given, cardParts: () => given.contributions(linkCardPart) }
  return {
    commandGroups: {
      link: 'Your links',
      'admin-links': 'Links of partners, and where they lead',
      'admin-links landing': 'Landing pages and who gets which',
    },
    commands: [partnerCommands, editingCommands, importCommands, adminCommands, landingCommands].flatMap((of) => of(parts)),
    components: [partnerComponents, editingComponents, importComponents, adminComponents].flatMap((of) => of(parts)),
    listeners: linkListeners(parts),
  }
}
