/** The Content templates that every account of the sandbox's Twilio has, as `GET /v1/ContentAndApprovals` lists them. */

interface Sample {
  readonly digit: string;
  readonly name: string;
  readonly category: string;
  readonly type: string;
  readonly part: object;
  readonly variables: Readonly<Record<string, string>>;
}

const samples: readonly Sample[] = [
  {
    digit: '1',
    name: 'order_confirmation',
    category: 'UTILITY',
    type: 'twilio/text',
    part: { body: 'Thank you, {{1}}! Your order {{2}} is on its way.' },
    variables: { '1': 'Ada', '2': '42' },
  },
  {
    digit: '2',
    name: 'seasonal_offer',
    category: 'MARKETING',
    type: 'twilio/quick-reply',
    part: {
      body: 'Hi {{1}}, our sale is on: {{2}} off until Sunday.',
      actions: [{ title: 'Stop promotions', id: 'stop' }],
    },
    variables: { '1': 'Ada', '2': '25%' },
  },
  {
    digit: '3',
    name: 'login_code',
    category: 'AUTHENTICATION',
    type: 'whatsapp/authentication',
    part: {
      add_security_recommendation: true,
      code_expiration_minutes: 10,
      actions: [{ type: 'COPY_CODE', copy_code_text: 'Copy code' }],
    },
    variables: { '1': '123456' },
  },
];

const since = '2026-01-01T00:00:00Z';

/** One page of them. */
export function contentsOf(accountSid: string, query: URLSearchParams): object {
  const size = Math.min(Math.max(Number(query.get('PageSize') ?? '50') || 50, 1), 1000);
  const page = Math.max(Number(query.get('Page') ?? '0') || 0, 0);
  const address = (at: number) =>
    `https://content.twilio.com/v1/ContentAndApprovals?PageSize=${size}&Page=${at}${at === 0 ? '' : `&PageToken=DNHX${at}`}`;
  const from = page * size;
  const meta = {
    page,
    page_size: size,
    key: 'contents',
    url: address(page),
    first_page_url: address(0),
    previous_page_url: page === 0 ? null : address(page - 1),
    next_page_url: from + size < samples.length ? address(page + 1) : null,
  };
  return { contents: samples.slice(from, from + size).map((one) => resourceOf(accountSid, one)), meta };
}

function resourceOf(accountSid: string, { digit, name, category, type, part, variables }: Sample): object {
  return {
    sid: `HX${digit.repeat(32)}`,
    account_sid: accountSid,
    friendly_name: name,
    language: 'en',
    variables,
    types: { [type]: part },
    approval_requests: {
      name,
      category,
      content_type: type,
      status: 'approved',
      rejection_reason: '',
      allow_category_change: true,
    },
    date_created: since,
    date_updated: since,
  };
}
