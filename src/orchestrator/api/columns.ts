// Columns that several kinds show.
import type { Column } from './resource.ts';

export const NAME: Column = { name: 'Name', description: 'Name, unique within its namespace' };
export const AGE: Column = { name: 'Age', description: 'Time since creation' };
export const wide = (name: string, description: string): Column => ({ name, priority: 1, description });
export const column = (name: string, description: string): Column => ({ name, description });
