/** The mail of the demo: conditions, defaults and links, as a marketer would write it. */
export const demoTemplate = {
  name: 'Harvest letter',
  channel: 'email',
  category: 'marketing',
  locale: 'en',
  subject: '{{ contact.first_name | default: "Friend" }}, the harvest is in',
  mjml: `<mjml>
  <mj-head><mj-preview>What grew in {{ contact.city }} this autumn</mj-preview><mj-attributes><mj-all font-family="Helvetica, Arial, sans-serif" /><mj-text font-size="16px" line-height="1.6" color="#20303c" /></mj-attributes></mj-head>
  <mj-body background-color="#eef3ef">
    <mj-section background-color="#ffffff" padding="32px"><mj-column>
      <mj-text font-size="26px" font-weight="700">Dear {{ contact.first_name | default: "friend" }} {{ contact.last_name }}</mj-text>
      <mj-text>The harvest is in, and the press in {{ contact.city }} has been running since Monday.</mj-text>
      <mj-raw>{% if contact.plan == "pro" %}</mj-raw>
      <mj-text>As a member of the <b>pro</b> plan your first crate is on us.</mj-text>
      <mj-raw>{% else %}</mj-raw>
      <mj-text>Become a member this month and the first crate is on us.</mj-text>
      <mj-raw>{% endif %}</mj-raw>
      <mj-button background-color="#2f6b4f" href="https://example.com/harvest">See what grew</mj-button>
      <mj-text font-size="13px" color="#5b6b74">Too much mail? <a href="{{ preferences_url }}">Choose what you get</a> or <a href="{{ unsubscribe_url }}">leave</a>.</mj-text>
    </mj-column></mj-section>
  </mj-body>
</mjml>`,
} as const;
