/** Selects the columns of the table; stored in this browser. */
import { Button, Menu } from "@mantine/core";
import { IconColumns3 } from "@tabler/icons-react";
import { COLUMNS, type Column } from "./columns";

export function ColumnMenu({
  shown,
  onToggle,
}: {
  shown: readonly Column[];
  onToggle: (key: string) => void;
}) {
  return (
    <Menu position="bottom-end" width={200}>
      <Menu.Target>
        <Button variant="default" leftSection={<IconColumns3 size={18} aria-hidden />}>
          Columns
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {COLUMNS.map((column) => {
          const on = shown.includes(column);
          return (
            <Menu.CheckboxItem
              key={column.key}
              checked={on}
              disabled={on && shown.length === 1}
              onChange={() => onToggle(column.key)}
            >
              {column.label}
            </Menu.CheckboxItem>
          );
        })}
      </Menu.Dropdown>
    </Menu>
  );
}
