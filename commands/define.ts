// The slash-command kit: commands with typed options, components, and the context that a handler gets instead of a discord.js object.
import type { ComponentRef, ParamsOf } from './customId.ts'
import type { Message, Modal } from './messages.ts'

export interface ProgramInfo {
  readonly id: string
  readonly name: string
  readonly guildId: string
  readonly timeZone: string
  readonly currency: string
}

/** What a handler knows of the interaction. Tests make one by hand; the bot makes one from the gateway. */
export interface Ctx {
  readonly program: ProgramInfo
  readonly user: { readonly id: string; readonly username: string; readonly displayName: string }
  readonly member: { readonly roleIds: readonly string[]; readonly isAdmin: boolean }
  readonly channelId: string
  readonly locale: string
  readonly interactionId: string
  readonly now: Date
  /** The command as a link that puts it into the person's message box; in plain code while Discord's id of it is not known. */
  mention(path: string): string
  /** Shows how far a long piece of work is; replaced by the next call and by the final reply. */
  progress(message: Message): Promise<void>
  /** A further message after the reply, seen by this person only. */
  followUp(message: Message): Promise<void>
}

/** Who may use a command or component. A check refuses by throwing a UserError that says what to do. */
export type Access = 'everyone' | 'admin' | Precondition

export interface Precondition {
  readonly id: string
  /** For /help and the docs: "active partners". */
  readonly describe: string
  check(ctx: Ctx): Promise<void>
}

interface OptionBase {
  description: string
  required?: boolean
}
export interface Choice<T> {
  name: string
  value: T
}
export type Suggest = (ctx: Ctx, typed: string) => Promise<readonly Choice<string>[]>

export type Option =
  | (OptionBase & { type: 'string'; min?: number; max?: number; choices?: readonly Choice<string>[]; suggest?: Suggest })
  | (OptionBase & { type: 'integer' | 'number'; min?: number; max?: number; choices?: readonly Choice<number>[] })
  | (OptionBase & { type: 'boolean' | 'user' | 'channel' | 'role' | 'attachment' })

export interface Upload {
  readonly id: string
  readonly filename: string
  readonly size: number
  readonly url: string
  readonly contentType: string | undefined
}
interface ValueOfType {
  string: string
  integer: number
  number: number
  boolean: boolean
  user: { readonly id: string; readonly username: string; readonly bot: boolean }
  channel: { readonly id: string }
  role: { readonly id: string; readonly name: string }
  attachment: Upload
}
export type OptionValues<O extends Record<string, Option>> = {
  [K in keyof O]: O[K]['required'] extends true ? ValueOfType[O[K]['type']] : ValueOfType[O[K]['type']] | undefined
}

/** `ephemeral` and `public` are deferred at once; `modal` answers with a form and so cannot do slow work before it. */
export type ReplyPolicy = 'ephemeral' | 'public' | 'modal'

export interface Command<O extends Record<string, Option> = Record<string, Option>> {
  /** One to three words: `earnings`, `link create`, `admin payouts run`. */
  readonly path: string
  readonly description: string
  readonly options: O
  readonly access: Access
  readonly reply: ReplyPolicy
  readonly run: (ctx: Ctx, options: OptionValues<O>) => Promise<Message | Modal>
}

/** Declares a command. Options keep their order, except that required ones come first, as Discord demands. */
export function defineCommand<const O extends Record<string, Option> = Record<never, Option>>(
  command: Omit<Command<O>, 'options' | 'run'> & { options?: O; run: Command<O>['run'] },
): Command {
  return { ...command, options: command.options ?? {} } as unknown as Command
}

/** `update` replaces the message that the component sits on; the others as for commands. */
export type ComponentReply = ReplyPolicy | 'update'

export interface ComponentInput {
  /** Chosen values of a select. */
  readonly values: readonly string[]
  /** Fields of a modal by key: the text, or the chosen values. */
  readonly fields: Readonly<Record<string, string | readonly string[]>>
}

export interface Component {
  readonly ref: ComponentRef
  readonly access: Access
  readonly reply: ComponentReply
  readonly run: (ctx: Ctx, params: never, input: ComponentInput) => Promise<Message | Modal>
}

/** Binds a button, select or modal to its code. */
export function onComponent<R extends ComponentRef<string>>(
  ref: R,
  component: {
    access: Access
    reply: ComponentReply
    run: (ctx: Ctx, params: ParamsOf<R>, input: ComponentInput) => Promise<Message | Modal>
  },
): Component {
  return { ref, ...component } as Component
}

/** The text of a modal field, trimmed; empty when it was left out. */
export function textField(input: ComponentInput, key: string): string {
  const value = input.fields[key]
  return (typeof value === 'string' ? value : (value?.[0] ?? '')).trim()
}

export function isModal(answer: Message | Modal): answer is Modal {
  return 'custom_id' in answer
}
