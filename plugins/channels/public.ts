// Blueprint keys of the channels and roles that other plugins post to or gate with.
export { staffChannel } from '../kit/settings.ts'
export { inboxChannel } from '../notifications/public.ts'

export const partnerRole = 'channels:partner'
export const industryRole = (industry: string): string => `channels:industry:${industry}`
export const industryChannel = (industry: string): string => `channels:industry:${industry}`
/** Celebrations, seen by every partner. */
export const winsChannel = 'channels:wins'
/** Written by the program only, seen by every partner. */
export const leaderboardChannel = 'channels:leaderboard'
export const announcementsChannel = 'channels:announcements'
