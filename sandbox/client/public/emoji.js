// The emoji that the page offers, by group, with the names they are found by. Data only.

/** @type {[string, string][]} */
const GROUPS = [
  [
    'Smileys',
    '😀 grinning|😃 smiley|😄 smile|😁 grin|😅 sweat_smile|😂 joy|🤣 rofl|🙂 slight_smile|😉 wink|😊 blush|😇 innocent|🥰 smiling_face_with_hearts|😍 heart_eyes|🤩 star_struck|😘 kissing_heart|😎 sunglasses|🤓 nerd|🥳 partying_face|🤔 thinking|🫡 saluting_face|😐 neutral_face|😴 sleeping|😮 open_mouth|😢 cry|😭 sob|😤 triumph|😡 rage|🤯 exploding_head|😱 scream|🤗 hugging|🙃 upside_down|😬 grimacing',
  ],
  [
    'People',
    '👍 thumbsup|👎 thumbsdown|👏 clap|🙌 raised_hands|🙏 pray|🤝 handshake|👌 ok_hand|✌️ v|🤞 fingers_crossed|💪 muscle|👋 wave|👀 eyes|🧠 brain|👇 point_down|👆 point_up|👉 point_right|👈 point_left|✋ raised_hand|🫶 heart_hands|🤷 shrug|🤦 facepalm',
  ],
  [
    'Hearts and signs',
    '❤️ heart|🧡 orange_heart|💛 yellow_heart|💚 green_heart|💙 blue_heart|💜 purple_heart|🖤 black_heart|💔 broken_heart|💯 100|✅ white_check_mark|❌ x|❗ exclamation|❓ question|⚠️ warning|➕ plus|➖ minus|🔴 red_circle|🟢 green_circle|🔵 blue_circle|⭐ star|✨ sparkles|🔥 fire|💥 boom|💡 bulb|🔔 bell|🔒 lock|🔓 unlock',
  ],
  [
    'Work and play',
    '🎉 tada|🎊 confetti_ball|🏆 trophy|🥇 first_place|🥈 second_place|🥉 third_place|🏅 medal|🎯 dart|🚀 rocket|📈 chart_with_upwards_trend|📉 chart_with_downwards_trend|📊 bar_chart|💰 moneybag|💵 dollar|💳 credit_card|🧾 receipt|📌 pushpin|📎 paperclip|📝 memo|📅 date|⏰ alarm_clock|⏳ hourglass|📣 mega|📢 loudspeaker|✉️ envelope|📨 incoming_envelope|📞 telephone|💻 computer|🔗 link|🔑 key|🛒 shopping_cart|🎁 gift|🎓 mortar_board|🧩 jigsaw|🎮 video_game|🎵 musical_note',
  ],
  [
    'Nature and food',
    '🌱 seedling|🌳 deciduous_tree|🌞 sun_with_face|🌙 moon|🌈 rainbow|⚡ zap|❄️ snowflake|🐶 dog|🐱 cat|🦊 fox|🐻 bear|🐧 penguin|🦄 unicorn|🐢 turtle|🍎 apple|🍕 pizza|🍔 hamburger|🍰 cake|🍪 cookie|☕ coffee|🍺 beer|🥂 champagne_glass',
  ],
]

/** @type {{ title: string, emoji: { name: string, text: string }[] }[]} */
export const EMOJI = GROUPS.map(([title, list]) => ({
  title,
  emoji: list.split('|').map((entry) => {
    const [text = '', name = ''] = entry.split(' ')
    return { name, text }
  }),
}))

/** Emoji whose name contains the words, those that begin with them first. @param {string} query */
export function findEmoji(query) {
  const wanted = query.toLowerCase().replaceAll(' ', '_')
  return EMOJI.flatMap((group) => group.emoji)
    .filter(({ name }) => name.includes(wanted))
    .sort((a, b) => Number(b.name.startsWith(wanted)) - Number(a.name.startsWith(wanted)))
}
