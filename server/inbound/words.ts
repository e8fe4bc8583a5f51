/** What the contact's pages say; `{}` stands for a topic. */
export interface Words {
  readonly lang: string;
  readonly unsubscribeTitle: string;
  readonly askTopic: string;
  readonly askAll: string;
  readonly unsubscribe: string;
  readonly toPreferences: string;
  readonly doneTitle: string;
  readonly doneTopic: string;
  readonly doneAll: string;
  readonly changedMind: string;
  readonly preferencesTitle: string;
  readonly chooseTopics: string;
  readonly noTopics: string;
  readonly save: string;
  readonly saved: string;
  readonly leaveAll: string;
  readonly deadTitle: string;
  readonly dead: string;
  readonly againTitle: string;
  readonly again: string;
}

const en: Words = {
  lang: 'en',
  unsubscribeTitle: 'Unsubscribe',
  askTopic: 'Do you want to stop receiving {}?',
  askAll: 'Do you want to stop receiving messages from us?',
  unsubscribe: 'Unsubscribe',
  toPreferences: 'Choose what you receive instead',
  doneTitle: 'You are unsubscribed',
  doneTopic: 'You will no longer receive {}.',
  doneAll: 'You will no longer receive messages from us.',
  changedMind: 'A mistake? Change what you receive',
  preferencesTitle: 'What you receive from us',
  chooseTopics: 'Tick what you want to receive',
  noTopics: 'There is nothing to choose at the moment.',
  save: 'Save',
  saved: 'Your choice is saved.',
  leaveAll: 'Stop everything',
  deadTitle: 'This link does not work',
  dead: 'It is incomplete or too old. Please open it again from the message, or use the link in a newer message.',
  againTitle: 'Please try again',
  again: 'This did not work just now. Please try again in a few minutes.',
};

const de: Words = {
  lang: 'de',
  unsubscribeTitle: 'Abmelden',
  askTopic: 'Möchten Sie {} nicht mehr erhalten?',
  askAll: 'Möchten Sie keine Nachrichten mehr von uns erhalten?',
  unsubscribe: 'Abmelden',
  toPreferences: 'Stattdessen auswählen, was Sie erhalten',
  doneTitle: 'Sie sind abgemeldet',
  doneTopic: 'Sie erhalten {} nicht mehr.',
  doneAll: 'Sie erhalten keine Nachrichten mehr von uns.',
  changedMind: 'Ein Versehen? Auswahl ändern',
  preferencesTitle: 'Was Sie von uns erhalten',
  chooseTopics: 'Wählen Sie aus, was Sie erhalten möchten',
  noTopics: 'Zurzeit gibt es nichts auszuwählen.',
  save: 'Speichern',
  saved: 'Ihre Auswahl ist gespeichert.',
  leaveAll: 'Alles abbestellen',
  deadTitle: 'Dieser Link funktioniert nicht',
  dead: 'Er ist unvollständig oder zu alt. Bitte öffnen Sie ihn noch einmal aus der Nachricht oder nutzen Sie den Link in einer neueren Nachricht.',
  againTitle: 'Bitte versuchen Sie es noch einmal',
  again: 'Das hat gerade nicht geklappt. Bitte versuchen Sie es in einigen Minuten noch einmal.',
};

const fr: Words = {
  lang: 'fr',
  unsubscribeTitle: 'Se désabonner',
  askTopic: 'Souhaitez-vous ne plus recevoir {} ?',
  askAll: 'Souhaitez-vous ne plus recevoir de messages de notre part ?',
  unsubscribe: 'Se désabonner',
  toPreferences: 'Choisir plutôt ce que vous recevez',
  doneTitle: 'Vous êtes désabonné(e)',
  doneTopic: 'Vous ne recevrez plus {}.',
  doneAll: 'Vous ne recevrez plus de messages de notre part.',
  changedMind: 'Une erreur ? Modifier vos choix',
  preferencesTitle: 'Ce que vous recevez de nous',
  chooseTopics: 'Cochez ce que vous souhaitez recevoir',
  noTopics: "Il n'y a rien à choisir pour le moment.",
  save: 'Enregistrer',
  saved: 'Votre choix est enregistré.',
  leaveAll: 'Tout arrêter',
  deadTitle: 'Ce lien ne fonctionne pas',
  dead: "Il est incomplet ou trop ancien. Rouvrez-le depuis le message ou utilisez le lien d'un message plus récent.",
  againTitle: 'Veuillez réessayer',
  again: "Cela n'a pas fonctionné. Veuillez réessayer dans quelques minutes.",
};

const es: Words = {
  lang: 'es',
  unsubscribeTitle: 'Darse de baja',
  askTopic: '¿Quiere dejar de recibir {}?',
  askAll: '¿Quiere dejar de recibir mensajes nuestros?',
  unsubscribe: 'Darse de baja',
  toPreferences: 'Elegir lo que recibe',
  doneTitle: 'Se ha dado de baja',
  doneTopic: 'Ya no recibirá {}.',
  doneAll: 'Ya no recibirá mensajes nuestros.',
  changedMind: '¿Ha sido un error? Cambie lo que recibe',
  preferencesTitle: 'Lo que recibe de nosotros',
  chooseTopics: 'Marque lo que quiere recibir',
  noTopics: 'Por ahora no hay nada que elegir.',
  save: 'Guardar',
  saved: 'Su elección se ha guardado.',
  leaveAll: 'Dejar de recibir todo',
  deadTitle: 'Este enlace no funciona',
  dead: 'Está incompleto o es demasiado antiguo. Ábralo de nuevo desde el mensaje o use el enlace de un mensaje más reciente.',
  againTitle: 'Inténtelo de nuevo',
  again: 'No ha funcionado. Inténtelo de nuevo dentro de unos minutos.',
};

const spoken: Readonly<Record<string, Words>> = { en, de, fr, es };

/** Language tags by preference: the contact's own first, then what the browser accepts (RFC 9110, 12.5.4). */
export function wordsFor(locale: string | null | undefined, acceptLanguage: string | undefined): Words {
  const accepted = (acceptLanguage ?? '')
    .slice(0, 200)
    .split(',')
    .map((part, place) => {
      const [tag = '', weight] = part.trim().split(';q=');
      return { tag, weight: weight === undefined ? 1 : Number(weight) || 0, place };
    })
    .filter((one) => one.weight > 0)
    .toSorted((left, right) => right.weight - left.weight || left.place - right.place)
    .map((one) => one.tag);
  for (const tag of [locale ?? '', ...accepted]) {
    const words = spoken[tag.slice(0, 2).toLowerCase()];
    if (words !== undefined && /^[a-z]{2}(?:[-_]|$)/i.test(tag)) return words;
  }
  return en;
}
