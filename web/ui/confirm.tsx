import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { modals } from '@mantine/modals';
import { useState, type ReactNode } from 'react';

export interface Question {
  readonly title: string;
  readonly body: ReactNode;
  /** The verb of what will happen: "Revoke key", never "OK". */
  readonly confirmLabel: string;
  readonly danger?: boolean;
  /** What cannot be undone asks for this word (the thing's name) to be typed. */
  readonly typeToConfirm?: string;
}

/** Asks once, in a dialog; true when the person says so. */
export function confirm(question: Question): Promise<boolean> {
  return new Promise((resolve) => {
    const answer = (said: boolean) => {
      resolve(said);
      modals.close(id);
    };
    const id = modals.open({
      title: question.title,
      centered: true,
      onClose: () => resolve(false),
      children: <ConfirmBody question={question} onAnswer={answer} />,
    });
  });
}

function ConfirmBody({ question, onAnswer }: { question: Question; onAnswer: (said: boolean) => void }) {
  const [typed, setTyped] = useState('');
  const isTyped = question.typeToConfirm === undefined || typed.trim() === question.typeToConfirm;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (isTyped) onAnswer(true);
      }}
    >
      <Stack>
        <Text component="div" size="sm">
          {question.body}
        </Text>
        {question.typeToConfirm !== undefined && (
          <TextInput
            data-autofocus
            label={`Type “${question.typeToConfirm}” to confirm`}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            autoComplete="off"
          />
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={() => onAnswer(false)}>
            Keep as it is
          </Button>
          <Button type="submit" {...(question.danger ? { color: 'red.8' } : {})} disabled={!isTyped}>
            {question.confirmLabel}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
