// A link as a QR code. Pictures only; knows no Discord.
import qr from 'qrcode'

/**
 * A PNG that scans (ISO/IEC 18004): black on white, four modules of quiet zone around it. For a screen with level M, which bears 15 % of damage; for print
 * with level Q (25 %) and enough pixels for a poster.
 */
export function qrCode(text: string, use: 'screen' | 'print'): Promise<Buffer> {
  const look =
    use === 'print' ? ({ errorCorrectionLevel: 'Q', scale: 40 } as const) : ({ errorCorrectionLevel: 'M', scale: 12 } as const)
  return qr.toBuffer(text, { type: 'png', margin: 4, ...look })
}
