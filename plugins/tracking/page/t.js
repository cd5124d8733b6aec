// Siso tracking, at /t.js: carries the click id from the landing page to forms, payment links and buy buttons. Keeps it only with consent.
// <script src="https://PROGRAM/t.js" data-program="PROGRAM_ID" async></script>
;((w, d) => {
  const script = d.currentScript
  const { program, consent, endpoint = `${new URL(script.src).origin}/v1/visit` } = script.dataset
  const name = 'siso_cid'
  const isId = (text) => /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text || '')
  const query = new URLSearchParams(w.location.search)
  const ref = ['ref', 'via', 'fpr', 'fp_ref', 'a', 'aff'].map((key) => query.get(key)).find(Boolean)
  let id = isId(query.get(name)) ? query.get(name) : null
  let agreed = false

  // Storage throws where the browser forbids it.
  const kept = (value) => {
    try {
      if (value === undefined) return w.sessionStorage.getItem(name)
      if (value) w.sessionStorage.setItem(name, value)
      else w.sessionStorage.removeItem(name)
    } catch {}
    return value
  }

  const each = (root, selector, work) => {
    for (const element of root.querySelectorAll(selector)) work(element)
  }
  const intoForm = (form) => {
    const isOurs = form.method === 'post' && new URL(form.action, w.location.href).origin === w.location.origin
    if (!isOurs && !form.hasAttribute('data-siso')) return
    const field = form.querySelector(`input[name=${name}]`) || form.appendChild(d.createElement('input'))
    field.type = 'hidden'
    field.name = name
    field.value = id
  }
  const intoLink = (link) => {
    const url = new URL(link.href)
    if (url.searchParams.has('client_reference_id')) return
    url.searchParams.set('client_reference_id', id)
    link.href = url.href
  }
  const carry = () => {
    if (!id) return
    each(d, 'form', intoForm)
    each(d, 'a[href^="https://buy.stripe.com/"],a[data-siso][href]', intoLink)
    each(d, 'stripe-buy-button,stripe-pricing-table', (button) => button.setAttribute('client-reference-id', id))
  }

  const tell = (fields) =>
    w
      .fetch(endpoint, { method: 'POST', credentials: 'include', body: new URLSearchParams({ program, ...fields }) })
      .then((answer) => (answer.ok ? answer.json() : {}))
      .catch(() => ({}))

  const set = async (yes) => {
    if (yes === agreed) return id
    agreed = yes
    if (!yes) {
      id = null
      kept('')
      await tell({ forget: '1' })
      return id
    }
    id ||= isId(kept()) ? kept() : null
    const { click_id: known } = await tell({ ...(id ? { click_id: id } : ref ? { ref } : {}) })
    if (!agreed) return id
    id = known || id
    if (id) kept(id)
    carry()
    return id
  }

  w.siso = { clickId: () => id, consent: (yes) => set(!!yes) }
  if (consent === 'true') set(true)
  new MutationObserver(carry).observe(d.documentElement, { childList: true, subtree: true })
  carry()
  d.addEventListener('submit', carry, true)
  w.dispatchEvent(new Event('siso'))
})(window, document)
